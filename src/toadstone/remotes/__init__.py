"""Models on servers: `hf://`, `https://`, `s3://`. Only the bytes that the readers ask for are fetched."""

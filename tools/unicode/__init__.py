"""What the product knows of characters, derived from the Unicode Character Database."""

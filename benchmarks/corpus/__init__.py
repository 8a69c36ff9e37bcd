"""Files whose truth is known: recipes for benign and malicious models, never the binaries."""

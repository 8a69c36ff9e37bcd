"""Identity: what makes two files, folders and tables the same, and where two of them differ."""

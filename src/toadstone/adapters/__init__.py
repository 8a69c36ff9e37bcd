"""Where the product meets other people's libraries inside the user's own program; each is touched only when it is there."""

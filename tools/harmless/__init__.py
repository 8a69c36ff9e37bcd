"""Writes the table of harmless uses: what real models of the big libraries contain, with the shape of the arguments."""

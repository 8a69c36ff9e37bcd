"""map → combine → finish over the parts of a data set, on whatever there is to run it."""

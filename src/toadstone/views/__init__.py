"""What is seen of a row's content: one file a view, computed batch by batch while the data set is read once."""

"""Files that other scanners publish to test themselves with; nothing here was made, or labelled, for toadstone."""

"""Side-by-side measurements of toadstone and its peers, reproducible by a stranger."""

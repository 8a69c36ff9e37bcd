"""Poison whose truth is known: one file an attack, found by `toadstone.attacks.attack.discover`.

Everything that an attack writes is inert text made of words: there is nothing in it that could run.
"""

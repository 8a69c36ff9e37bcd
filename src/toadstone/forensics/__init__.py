"""Payload forensics: what text and bytes become when the stages that hide them are taken off.

Two ways lead to the content of a payload. Where the code that takes the stages off is in sight, its expressions are worked out
by a small interpreter that knows pure functions of constants only (`toadstone.forensics.interpreter`). Where it is not, a whole
constant that is strictly written in an encoding is decoded until nothing encoded is left, and counts only if what comes out is
plainly meant (`toadstone.forensics.unwrap`). Everything is total and bounded in steps, size and memory; nothing is ever run.
"""

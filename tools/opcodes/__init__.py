"""Derives the opcode tables of the bytecode reader."""

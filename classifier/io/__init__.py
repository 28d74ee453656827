"""Byte-level input and output: decoding, content sniffing, compression, atomic files. Independent of pages and labels."""

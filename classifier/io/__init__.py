"""Byte-level input and output: decoding, content sniffing, compression, atomic files. Knows nothing of pages or labels."""

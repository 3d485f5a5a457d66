"""Model providers of your own; a file here goes before the chassis's of the same name."""

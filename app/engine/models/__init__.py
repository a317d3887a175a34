"""The models of the papers, one readable file for each paper, and the modules that they are made of."""

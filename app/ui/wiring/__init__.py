"""Who is connected to whom: one module for each part of the window. Widgets never connect to each other."""

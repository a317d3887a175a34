"""Every command of the window, one table for each menu."""

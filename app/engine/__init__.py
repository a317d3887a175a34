"""What computes, in its own process. No Qt, no database."""

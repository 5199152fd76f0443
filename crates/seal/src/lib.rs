//! Seals and opens secrets, bound to the cell they lie in.

//! How Gemini differs.

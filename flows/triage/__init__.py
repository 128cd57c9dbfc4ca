"""From findings to decisions: what people say of them, what that adds up to, and who has to be told."""

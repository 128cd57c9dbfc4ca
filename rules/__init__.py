"""Content: the province's own Sigma rules; this file lets a wheel find them."""

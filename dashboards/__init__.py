"""Content: index templates and Kibana objects; this file lets a wheel find them."""

"""What is seen of live sensor mode: plane, lights, panel, page."""

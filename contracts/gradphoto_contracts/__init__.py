"""Events of gradphoto, as typed models: what crosses the border between its services, and to systems that subscribe."""

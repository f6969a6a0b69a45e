"""A camera on a USB cable, driven by a process of its own: a library call that never returns ends with that process."""

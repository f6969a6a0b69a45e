"""The order of steps at the desk: one async function for each thing that is done at, or to, a desk."""

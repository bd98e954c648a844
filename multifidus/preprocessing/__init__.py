"""What is done to signal before fat is measured in it: the coil's shading is taken out."""

"""What keys, buttons and the mouse do: they change the models and tell the views."""

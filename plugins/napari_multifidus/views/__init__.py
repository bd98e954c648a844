"""Parts of the plugin's window: layout and wiring only."""

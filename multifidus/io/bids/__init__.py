"""The Brain Imaging Data Structure (BIDS): names, tables, datasets, label maps."""

"""What people look at rather than read: pictures and pages. Numbers are rounded here only."""

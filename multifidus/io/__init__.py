"""Files: one module a format. Formats do not know each other; they share ``io.files``."""

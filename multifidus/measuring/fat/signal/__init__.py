"""The fat signal fraction: field, lean level and fat level of an exam, fitted together."""

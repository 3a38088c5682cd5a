"""What people come for, one module each: nothing here prints."""

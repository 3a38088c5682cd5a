"""Reading and writing `contracts/`, recordings and generated code."""

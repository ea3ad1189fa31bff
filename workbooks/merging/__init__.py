"""Official tables out of a folder of applications, and tables of foreign make understood."""

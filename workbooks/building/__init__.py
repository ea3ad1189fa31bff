"""What every form is built of: looks, canvas, header, findings."""

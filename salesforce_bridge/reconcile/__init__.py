"""From facts to situations to decisions to standing to plan; pure."""

"""Supervision: what may be restarted and how often is data, one pure function decides, one actor carries it out."""

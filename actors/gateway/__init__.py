"""The gateway: one actor through which people, programs and notebooks see and operate a running desk."""

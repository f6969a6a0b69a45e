"""What goes in and out of the doors. Field names here are what stations and pages are written against."""

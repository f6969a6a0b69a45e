"""Slips with the 拍摄号: on a receipt printer that speaks ESC/POS, or through the system's print queue."""

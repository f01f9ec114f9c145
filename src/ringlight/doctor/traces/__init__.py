"""Recorded dialogs: readers of every form in which people have them, and judges that name the first wrong message.

A reader turns bytes or lines into entries, a judge entries into findings. Both are pure, and keep little: a recording
may have gigabytes.
"""

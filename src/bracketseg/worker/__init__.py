"""A process of its own for everything that needs torch, and how a window talks to it.

A window that trains in its own process stands still while torch is imported, shares the
interpreter's lock with it, and is killed with it when memory runs out. So the window starts
``python -m bracketseg.worker`` and gets the events of a training or a prediction from there:
the very ones that the command gets.
"""

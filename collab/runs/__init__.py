"""One training run: a dataset, a recipe and a seed, in a child process on a device.

spec      what a run is made of, and its key
record    what a committed run says of itself
train     train in this process and commit the folder
child     the child process, and `launch`, which starts and follows it
devices   which devices there are, and the lease that gives one to one run at a time
"""

"""Wait, at the end of each cell, until what its child processes printed has arrived.

A copy of this file runs in the kernel of `tools.runner` as it starts. ipykernel reads
such output from a pipe, in a thread; on a busy machine that thread comes too late, and
the output stands below the next cell, or nowhere. So a last byte goes through the same
pipe, and the cell ends when it has come out at the other end.
"""


def _catch_up(mark="\0", longest=10):
    """Let each stream of ipykernel wait, after a cell, for the end of its pipe."""
    # In here, since the names of this file become the reader's.
    import os
    import sys
    import threading

    from IPython import get_ipython

    def attach(stream):
        arrived, write = threading.Event(), stream.write

        def write_and_tell(text):
            from_pipe = threading.current_thread() is stream.watch_fd_thread
            if not (from_pipe and text.endswith(mark)):
                return write(text)
            write(text[: -len(mark)])
            return arrived.set()

        def wait(_result):
            arrived.clear()
            os.write(stream._original_stdstream_fd, mark.encode())
            arrived.wait(longest)

        stream.write = write_and_tell
        get_ipython().events.register("post_run_cell", wait)

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "watch_fd_thread"):  # not on Windows
            attach(stream)


_catch_up()
del _catch_up

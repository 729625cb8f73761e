"""The one exception that users are meant to see."""


class HcrError(Exception):
    """A problem that the user can mend; its message is one sentence: what, where, what to do.

    The command line prints the message without a traceback and exits with status 2;
    a service answers it with a 4xx.
    """

import cv2

from hcr_live.quiet import silent_opencv_log


def test_opencv_stays_silent_until_the_last_of_two_threads_has_left():
    log = cv2.utils.logging
    before = log.getLogLevel()
    one, other = silent_opencv_log(), silent_opencv_log()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert log.getLogLevel() == log.LOG_LEVEL_SILENT != before
    other.__exit__(None, None, None)
    assert log.getLogLevel() == before

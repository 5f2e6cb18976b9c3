"""The whole box: three processes on the virtual card and a browser. A call from the browser's handset with keys and a voice in its
microphone, seen live, its recording played, and the voice found in it; and the browser as the operator's set.
"""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
from selenium import webdriver
from selenium.webdriver.common.by import By

from appliance.control.handset import Handset, dial_message
from appliance.store.models import CallRecord, Recording, VoiceMessage
from tests.web import prepared
from tests.web.browser import ALLOW_MICROPHONE, chromium, click, complaints, wait_for
from tests.web.daemons import whole_box
from tests.web.prepared import alaw
from tests.web.screenshots import make_first
from webui import store
from webui.wave import open_wave, pcm_range

PROMPTS = Path(__file__).parents[2] / "appliance" / "ivr" / "prompts"
SPEECH = PROMPTS / "en" / "hospital_introduction.wav"
MICROPHONE_HZ = 48000
ALIKE = 0.5  # of a second of speech, after two filters and A-law; other speech stays below 0.35
STATE = "document.getElementById('handset').dataset.state"
POSITION = "Number(document.querySelector('.player').dataset.positionMs)"

Samples = npt.NDArray[np.float64]


def test_call_from_the_browser(tmp_path: Path) -> None:
    voice = samples_of(SPEECH)[:, 0]
    microphone = tmp_path / "microphone.wav"
    write_microphone(microphone, voice)
    flags = (*ALLOW_MICROPHONE, f"--use-file-for-fake-audio-capture={microphone}")
    with whole_box(tmp_path / "box") as (place, address), chromium(tmp_path / "profile", *flags) as driver:
        make_first(driver, address, place)
        dashboard = driver.current_window_handle
        driver.switch_to.new_window("window")
        leave_message(driver, address)
        driver.switch_to.window(dashboard)
        wait_for(driver, "document.querySelectorAll('#part-calls tbody tr').length === 1")
        driver.switch_to.window(driver.window_handles[-1])
        wait_for(driver, "document.getElementById('handset-time').textContent >= '0:18'", 40.0)
        click(driver, "handset-hang-up")
        wait_for(driver, f"{STATE} === 'ended'")
        play_recording(driver, address)
        assert complaints(driver) == []
    recording = the_recording(place)
    found = [likeness(second, recording) for second in seconds_of(voice)]
    assert sum(one > ALIKE for one in found) >= 6, found


def test_operator_in_the_browser(tmp_path: Path) -> None:
    """The browser is the operator's set: it rings when a caller presses 0, picks up, and both hear each other."""
    microphone = tmp_path / "microphone.wav"
    write_microphone(microphone, samples_of(SPEECH)[:, 0])
    flags = (*ALLOW_MICROPHONE, f"--use-file-for-fake-audio-capture={microphone}")
    with whole_box(tmp_path / "box") as (place, address), chromium(tmp_path / "profile", *flags) as driver:
        make_first(driver, address, place)
        driver.get(f"{address}/handset")
        first_set = driver.find_element(By.CSS_SELECTOR, "#handset-who option:nth-child(2)")
        first_set.click()
        click(driver, "handset-call")
        wait_for(driver, f"{STATE} === 'idle' && !document.getElementById('handset-call').disabled")
        with Handset(place.run_dir / "handset.sock", dial_message("01088886666", caller="13800138000")) as caller:
            caller.wait_for("talking", limit_s=30.0)
            caller.press("w0")
            wait_for(driver, f"{STATE} === 'ringing'", 40.0)
            click(driver, "handset-call")
            wait_for(driver, f"{STATE} === 'talking'")
            caller.speak(bytes(alaw(sample) for sample in prepared.tones(4.0, 2)))
            wait_for(driver, "document.getElementById('meter-ear').value > 0.3")
            caller.hang_up()
        wait_for(driver, f"{STATE} === 'ended'", 30.0)
        click(driver, "handset-hang-up")
        wait_for(driver, f"{STATE} === 'idle'")
        assert complaints(driver) == []
    store.bind(place.data_dir / "careline.db")
    with store.connection():
        assert CallRecord.get().outcome == "operator"


def leave_message(driver: webdriver.Chrome, address: str) -> None:
    """Ring the box; when it speaks press 5, then speak."""
    driver.get(f"{address}/handset")
    click(driver, "handset-call")
    wait_for(driver, f"{STATE} === 'talking' && document.getElementById('meter-ear').value > 0.2")
    driver.find_element(By.CSS_SELECTOR, "[data-key='5']").click()
    wait_for(driver, "document.getElementById('meter-mic').value > 0.2")


def play_recording(driver: webdriver.Chrome, address: str) -> None:
    driver.get(f"{address}/calls")
    driver.find_element(By.CSS_SELECTOR, "#found tbody a.btn").click()
    wait_for(driver, "document.querySelector('.player-time') && !document.querySelector('.player-time').textContent.endsWith('/ 0:00')")
    driver.find_element(By.CSS_SELECTOR, ".player-play").click()
    wait_for(driver, f"{POSITION} > 1000")


def the_recording(place: prepared.Place) -> Samples:
    """What the caller said in the one call, from the store and the disk."""
    store.bind(place.data_dir / "careline.db")
    with store.connection():
        record, recording = CallRecord.get(), Recording.select().order_by(Recording.samples.desc()).first()
        assert record.outcome == "message"
        assert record.digits == "5"
        assert VoiceMessage.get().call == record.call_id
    return samples_of(place.data_dir / "recordings" / recording.path)[:, 0]


def samples_of(file: Path) -> Samples:
    sound = open_wave(file)
    pcm = b"".join(pcm_range(sound, 44, sound.pcm_bytes))
    return np.frombuffer(pcm, dtype="<i2").astype(float).reshape(-1, sound.sides)


def write_microphone(file: Path, voice: Samples) -> None:
    """16-bit PCM at the browser's rate."""
    step = MICROPHONE_HZ // 8000
    fine = np.interp(np.arange(len(voice) * step) / step, np.arange(len(voice)), voice)
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(MICROPHONE_HZ)
        sound.writeframes(fine.astype("<i2").tobytes())


def seconds_of(voice: Samples) -> list[Samples]:
    return [voice[at : at + 8000] for at in range(0, len(voice) - 8000, 8000)]


def likeness(second: Samples, recording: Samples) -> float:
    """The greatest normalised cross-correlation of a second of speech with the recording, 0 to 1."""
    size = 1 << (len(recording) + len(second)).bit_length()
    product = np.fft.rfft(recording, size) * np.conj(np.fft.rfft(second, size))
    count = len(recording) - len(second)
    correlation = np.fft.irfft(product, size)[:count]
    energy = np.concatenate([[0.0], np.cumsum(recording**2)])
    window = energy[len(second) : len(second) + count] - energy[:count]
    return float(np.max(np.abs(correlation) / np.sqrt(window * np.sum(second**2) + 1.0)))

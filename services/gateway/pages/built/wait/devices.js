/** The check of camera, microphone and speaker. Nothing leaves the browser. */
import { say, show, the } from "../shared/dom.js";
const KINDS = [
    ["camera", "videoinput"],
    ["microphone", "audioinput"],
    ["speaker", "audiooutput"],
];
/** Of the test tone: hertz, seconds. */
const TONE_HZ = 440;
const TONE_S = 1.2;
/** Checks devices while it runs; gives them back when it stops. */
export class DeviceCheck {
    #words;
    #stream;
    #sound;
    #frame = 0;
    constructor(words) {
        this.#words = words;
        the("devices-start").onclick = () => void this.start();
        the("devices-stop").onclick = () => this.stop();
        the("camera").onchange = the("microphone").onchange = () => void this.start();
        the("speaker").onchange = () => void this.#useSpeaker();
        the("tone").onclick = () => void this.#tone();
        navigator.mediaDevices?.addEventListener("devicechange", () => {
            if (this.#stream)
                void this.#list(this.#stream);
        });
    }
    /** Speaks another language from now on. */
    speak(words) {
        this.#words = words;
        the("preview").setAttribute("aria-label", words.say("devices.preview"));
        if (this.#stream)
            void this.#list(this.#stream);
    }
    /** Begins, or goes on with the devices that are chosen now. */
    async start() {
        if (!navigator.mediaDevices)
            return this.#trouble(new DOMException("", "SecurityError"));
        try {
            const stream = await this.#open();
            this.#release();
            this.#stream = stream;
            const preview = the("preview");
            preview.setAttribute("aria-label", this.#words.say("devices.preview"));
            preview.srcObject = stream;
            show(preview, stream.getVideoTracks().length > 0);
            show(the("devices-trouble"), false);
            show(the("devices-check"), true);
            show(the("devices-stop"), true);
            const startHadFocus = document.activeElement === the("devices-start");
            show(the("devices-start"), false);
            if (startHadFocus)
                the("devices-stop").focus();
            await this.#list(stream);
            this.#measure(stream);
            await preview.play().catch(() => undefined);
        }
        catch (error) {
            this.#trouble(error);
        }
    }
    /** Gives the devices back. */
    stop() {
        this.#release();
        const stopHadFocus = document.activeElement === the("devices-stop");
        show(the("devices-check"), false);
        show(the("devices-stop"), false);
        show(the("devices-start"), true);
        if (stopHadFocus)
            the("devices-start").focus();
    }
    /** Both devices; where there is only one, that one. */
    async #open() {
        const wanted = (kind) => {
            const id = the(kind).value;
            return id ? { deviceId: { exact: id } } : true;
        };
        const [video, audio] = [wanted("camera"), wanted("microphone")];
        try {
            return await navigator.mediaDevices.getUserMedia({ video, audio });
        }
        catch (error) {
            const name = error instanceof DOMException ? error.name : "";
            if (name === "OverconstrainedError")
                return navigator.mediaDevices.getUserMedia({ video: true, audio: true });
            if (name !== "NotFoundError")
                throw error;
            return navigator.mediaDevices.getUserMedia({ audio }).catch(() => navigator.mediaDevices.getUserMedia({ video }));
        }
    }
    async #list(stream) {
        const devices = await navigator.mediaDevices.enumerateDevices();
        for (const [kind, wanted] of KINDS) {
            const select = the(kind);
            const used = stream.getTracks().find((track) => track.kind === (kind === "camera" ? "video" : "audio"));
            const current = kind === "speaker" ? select.value : used?.getSettings().deviceId;
            const found = devices.filter((device) => device.kind === wanted && device.deviceId !== "");
            const options = found.map((device, at) => {
                const name = device.label || this.#words.say("devices.numbered", { count: at + 1 });
                return new Option(name, device.deviceId, false, device.deviceId === current);
            });
            const empty = kind === "speaker" ? "devices.system" : "devices.none";
            if (options.length === 0)
                options.push(new Option(this.#words.say(empty), ""));
            select.replaceChildren(...options);
        }
        // Not every browser lets a page choose.
        show(the("speaker-field"), "setSinkId" in HTMLMediaElement.prototype);
    }
    /** Moves the bar with the microphone. */
    #measure(stream) {
        if (stream.getAudioTracks().length === 0)
            return;
        const context = (this.#sound = new AudioContext());
        const analyser = context.createAnalyser();
        analyser.fftSize = 1024;
        context.createMediaStreamSource(stream).connect(analyser);
        const samples = new Float32Array(analyser.fftSize);
        const level = the("level");
        const look = () => {
            analyser.getFloatTimeDomainData(samples);
            const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
            // From -60 dB, where a quiet room is, to full scale.
            const decibels = 10 * Math.log10(power + 1e-12);
            level.value = Math.min(1, Math.max(0, 1 + decibels / 60));
            this.#frame = requestAnimationFrame(look);
        };
        look();
    }
    async #useSpeaker() {
        const sound = the("sound");
        await sound.setSinkId?.(the("speaker").value).catch((error) => this.#trouble(error));
    }
    async #tone() {
        const context = (this.#sound ??= new AudioContext());
        await context.resume();
        const target = context.createMediaStreamDestination();
        const oscillator = context.createOscillator();
        const volume = context.createGain();
        const end = context.currentTime + TONE_S;
        oscillator.frequency.value = TONE_HZ;
        // Comes and goes softly: no click.
        volume.gain.setValueAtTime(0, context.currentTime);
        volume.gain.linearRampToValueAtTime(0.25, context.currentTime + 0.05);
        volume.gain.setValueAtTime(0.25, end - 0.1);
        volume.gain.linearRampToValueAtTime(0, end);
        oscillator.connect(volume).connect(target);
        const sound = the("sound");
        sound.srcObject = target.stream;
        const button = the("tone");
        button.setAttribute("aria-pressed", "true");
        oscillator.onended = () => {
            button.setAttribute("aria-pressed", "false");
            sound.srcObject = null;
        };
        oscillator.start();
        oscillator.stop(end);
        await sound.play().catch((error) => this.#trouble(error));
    }
    #release() {
        cancelAnimationFrame(this.#frame);
        this.#stream?.getTracks().forEach((track) => track.stop());
        this.#stream = undefined;
        void this.#sound?.close();
        this.#sound = undefined;
        the("preview").srcObject = null;
    }
    #trouble(error) {
        this.stop();
        const name = error instanceof DOMException ? error.name : String(error);
        const key = reasonOf(name);
        const trouble = the("devices-trouble");
        show(trouble, true);
        say(trouble, this.#words.say(`devices.${key}`, { reason: name }));
    }
}
/** The text for a browser's refusal. */
function reasonOf(name) {
    switch (name) {
        case "SecurityError":
            return isSecureContext ? "denied" : "insecure";
        case "NotAllowedError":
            return framedOut() ? "framed" : "denied";
        case "NotFoundError":
            return "missing";
        case "NotReadableError":
        case "AbortError":
            return "busy";
        default:
            return "failed";
    }
}
/** Whether the page around this one keeps devices from it; only some browsers say so. */
function framedOut() {
    const policy = document.featurePolicy;
    return self !== top && policy?.allowsFeature?.("camera") === false;
}

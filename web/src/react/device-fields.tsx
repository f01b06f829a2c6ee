import { useId } from "react";
import type { Devices } from "../sdk/index.js";
import { useDevices, type DeviceLists } from "./devices.js";

/** Properties of DeviceFields. */
export interface DeviceFieldsProps {
  /** What is chosen; a missing one is the browser's default. */
  devices: Devices;
  /** Called with a choice. */
  onChange(change: Devices): void;
  /** Offer cameras. Default true. */
  camera?: boolean;
  /** The lists to choose from, where the caller has them; otherwise they are looked up. */
  lists?: DeviceLists;
}

/** A field for each kind of device. */
export function DeviceFields({ lists, ...rest }: DeviceFieldsProps) {
  return lists ? <Fields lists={lists} {...rest} /> : <LookedUp {...rest} />;
}

function LookedUp(props: DeviceFieldsProps) {
  return <Fields {...props} lists={useDevices()} />;
}

function Fields({ devices, onChange, camera = true, lists }: DeviceFieldsProps & { lists: DeviceLists }) {
  return (
    <div className="prl-fields">
      <Field label="Microphone" list={lists.microphones} chosen={devices.microphoneId} choose={(microphoneId) => onChange({ microphoneId })} />
      {lists.speakers.length > 0 && (
        <Field label="Speaker" list={lists.speakers} chosen={devices.speakerId} choose={(speakerId) => onChange({ speakerId })} />
      )}
      {camera && <Field label="Camera" list={lists.cameras} chosen={devices.cameraId} choose={(cameraId) => onChange({ cameraId })} />}
    </div>
  );
}

interface FieldProps {
  label: string;
  list: readonly MediaDeviceInfo[];
  chosen: string | undefined;
  choose(id: string | undefined): void;
}

function Field({ label, list, chosen, choose }: FieldProps) {
  const id = useId();
  const there = list.some(({ deviceId }) => deviceId === chosen);
  return (
    <div className="prl-field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="prl-input" value={there ? chosen : ""} onChange={(event) => choose(event.target.value || undefined)}>
        <option value="">The system's default</option>
        {list.map((device, at) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || `${label} ${at + 1}`}
          </option>
        ))}
      </select>
    </div>
  );
}

/**
 * From 1.29 on onnxruntime tells its maker of each process, session and count of runs, keeps an identifier of the machine in the home
 * folder and a file for each process in the temporary one; with this in the environment before it is loaded it does nothing of the kind
 * (microsoft/onnxruntime#27379).
 */
export const NO_TELEMETRY = { ORT_DISABLE_TELEMETRY: '1' } as const

{{/*
A job that Helm starts and waits for. Takes the root, the component, the hook and its weight, the longest time it may take,
and the arguments of the program.
*/}}
{{- define "sidecar.job" -}}
{{- $of := list .root .component -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- $hook := dict "helm.sh/hook" .hook "helm.sh/hook-weight" (toString .weight) }}
  {{- /* One that failed stays to be looked at. */}}
  {{- $_ := set $hook "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" }}
  {{- /* What one that succeeded says is shown, too: it may be to restart NetBox. */}}
  {{- $_ := set $hook "helm.sh/hook-output-log-policy" "hook-failed,hook-succeeded" }}
  {{- include "sidecar.metadata" (dict "root" .root "component" .component "annotations" $hook) | nindent 2 }}
spec:
  backoffLimit: 4
  podFailurePolicy:
    rules:
      # It was taken from a node that is drained, which says nothing about it.
      - action: Ignore
        onPodConditions:
          - {type: DisruptionTarget, status: "True"}
      # What no other try mends, such as a setting that cannot be used, or a token that NetBox refuses.
      - action: FailJob
        onExitCodes:
          operator: In
          values: [2]
  activeDeadlineSeconds: {{ .timeoutSeconds }}
  template:
    metadata:
      labels:
        {{- include "sidecar.podLabels" $of | nindent 8 }}
      {{- with .root.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "sidecar.placement" $of | nindent 6 }}
      securityContext:
        {{- include "sidecar.podSecurity" (list .root 65532) | nindent 8 }}
      restartPolicy: Never
      containers:
        - name: {{ .component }}
          {{- include "sidecar.container" $of | nindent 10 }}
          args: {{ concat (list "--config" "/etc/rir-sidecar/config.toml") .args | toJson }}
          resources:
            {{- toYaml .root.Values.worker.resources | nindent 12 }}
      volumes:
        {{- include "sidecar.volumes" $of | nindent 8 }}
{{- end }}

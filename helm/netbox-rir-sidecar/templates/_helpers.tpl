{{/*
The name that all objects begin with: the release's and the chart's, unless both are the same. What is appended to it, such as
`-worker`, is never the end of another release's name, so no two releases in a namespace can meet. A Service's name has no dots,
begins with a letter and has 63 characters at most, `-bootstrap` included: a name that had to be changed for that is told apart
by a digest.
*/}}
{{- define "sidecar.fullname" -}}
{{- $wanted := ternary .Chart.Name (printf "%s-%s" .Release.Name .Chart.Name) (eq .Release.Name .Chart.Name) -}}
{{- $wanted = .Values.fullnameOverride | default $wanted -}}
{{- $name := $wanted | replace "." "-" -}}
{{- if regexMatch "^[0-9]" $name }}{{ $name = printf "r%s" $name }}{{ end -}}
{{- if or (ne $name $wanted) (gt (len $name) 53) -}}
{{- $name = printf "%s-%s" ($name | trunc 44 | trimSuffix "-") ($wanted | sha256sum | trunc 8) -}}
{{- end -}}
{{- $name -}}
{{- end }}

{{/* What all pods of the release have in common. */}}
{{- define "sidecar.release" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* What tells pods of one component from all others. Takes a list of the root and the component. */}}
{{- define "sidecar.selector" -}}
{{ include "sidecar.release" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* The labels that the chart gives an object. Takes a list of the root and, if the object belongs to one, the component. */}}
{{- define "sidecar.ownLabels" -}}
{{ if first (rest .) }}{{ include "sidecar.selector" . }}{{ else }}{{ include "sidecar.release" (first .) }}{{ end }}
app.kubernetes.io/version: {{ (first .).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (first .).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (first .).Chart.Name (first .).Chart.Version | replace "+" "_" }}
{{- end }}

{{/*
All labels of an object. Takes a list of the root, the component if the object belongs to one, and labels that this object alone
has. What the user adds never replaces what the chart says, and no key is there twice.
*/}}
{{- define "sidecar.labels" -}}
{{- $own := include "sidecar.ownLabels" . | fromYaml -}}
{{- merge $own (first (rest (rest .)) | default dict) (first .).Values.commonLabels | toYaml }}
{{- end }}

{{/* The annotations of an object, with their key, if it has any. Takes a list of the root and of dicts with its own. */}}
{{- define "sidecar.annotations" -}}
{{- $annotations := dict -}}
{{- range rest . }}{{ $annotations = merge $annotations . }}{{ end -}}
{{- with merge $annotations (first .).Values.commonAnnotations -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
The metadata of an object: its `name` (or else that of its component), labels and annotations. Takes a dict with the root, and
what there is of `name`, `component`, `labels` and `annotations`.
*/}}
{{- define "sidecar.metadata" -}}
name: {{ .name | default (include "sidecar.componentName" (list .root (.component | default "api"))) | quote }}
labels:
  {{- include "sidecar.labels" (list .root .component .labels) | nindent 2 }}
{{- with include "sidecar.annotations" (list .root (.annotations | default dict)) }}
{{ . }}
{{- end }}
{{- end }}

{{/* Labels of a pod: without the versions, which would restart it for nothing. Takes a list of the root and the component. */}}
{{- define "sidecar.podLabels" -}}
{{- $values := (first .).Values -}}
{{- merge (include "sidecar.selector" . | fromYaml) $values.podLabels $values.commonLabels | toYaml }}
{{- end }}

{{/* The components that have a deployment, the workers' last. */}}
{{- define "sidecar.components" -}}
api{{ if eq .Values.mode "split" }},worker{{ end }}
{{- end }}

{{/* The component that works jobs off. */}}
{{- define "sidecar.workers" -}}
{{ include "sidecar.components" . | splitList "," | last }}
{{- end }}

{{/* Name of the objects of a component. Takes a list of the root and the component. */}}
{{- define "sidecar.componentName" -}}
{{ include "sidecar.fullname" (index . 0) }}{{ if ne (index . 1) "api" }}-{{ index . 1 }}{{ end }}
{{- end }}

{{/* Which addresses a service has: what the cluster gives it, unless told. */}}
{{- define "sidecar.ipFamilies" -}}
{{- $chosen := dict -}}
{{- with .Values.service.ipFamilyPolicy }}{{ $_ := set $chosen "ipFamilyPolicy" . }}{{ end -}}
{{- with .Values.service.ipFamilies }}{{ $_ := set $chosen "ipFamilies" . }}{{ end -}}
{{- with $chosen }}{{ toYaml . }}{{ end -}}
{{- end }}

{{- define "sidecar.serviceAccountName" -}}
{{ .Values.serviceAccount.name | default (ternary (include "sidecar.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{/* Not empty if this secret is given in either way. */}}
{{- define "sidecar.isGiven" -}}
{{ .existingSecret }}{{ .value }}
{{- end }}

{{/* Not empty if jobs are kept in a Redis, wherever its URL comes from. */}}
{{- define "sidecar.hasRedis" -}}
{{- if or .Values.redis.enabled (include "sidecar.isGiven" .Values.secrets.redisUrl) (dig "queue" "url" "" (fromToml .Values.config)) }}yes{{ end -}}
{{- end }}

{{/* Not empty if callers come through a proxy that the chart asks for, and `config` does not say how it names them. */}}
{{- define "sidecar.isBehindProxy" -}}
{{- $named := hasKey (dig "http" dict (fromToml .Values.config)) "client_address_header" -}}
{{- if and (or .Values.ingress.enabled .Values.httpRoute.enabled) (not $named) }}yes{{ end -}}
{{- end }}

{{- define "sidecar.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* Not empty where the cluster gives pods a user and groups by itself, and refuses those that a chart chooses. */}}
{{- define "sidecar.isOpenShift" -}}
{{- $given := toString .Values.openshift -}}
{{- $found := .Capabilities.APIVersions.Has "security.openshift.io/v1" -}}
{{- if or (eq $given "true") (and (eq $given "auto") $found) }}yes{{ end -}}
{{- end }}

{{/*
What Pod Security calls "restricted", for a pod and for its containers. Not a value: there is no reason to have less.
The group reads the files, which nobody else may. Takes a list of the root, and the user and group of the pod.
*/}}
{{- define "sidecar.podSecurity" -}}
runAsNonRoot: true
{{- if not (include "sidecar.isOpenShift" (index . 0)) }}
runAsUser: {{ index . 1 }}
runAsGroup: {{ index . 1 }}
fsGroup: {{ index . 1 }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "sidecar.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where pods run, and under which account. Takes a list of the root and the component. */}}
{{- define "sidecar.placement" -}}
{{- $root := index . 0 -}}
serviceAccountName: {{ if and $root.Values.serviceAccount.create (include "sidecar.isBefore" .) }}{{ include "sidecar.setupName" $root }}{{ else }}{{ include "sidecar.serviceAccountName" $root | quote }}{{ end }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $root.Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* How the pods of a component are spread: as told, or over nodes and zones. Takes a list of the root and the component. */}}
{{- define "sidecar.spread" -}}
{{- $values := (first .).Values -}}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "sidecar.selector" . | fromYaml)) -}}
{{- $constraints := list -}}
{{- range $values.topologySpreadConstraints -}}
{{- $constraints = append $constraints (ternary . (merge (deepCopy .) $own) (hasKey . "labelSelector")) -}}
{{- end -}}
{{- if and $values.topologySpread.enabled (not $constraints) -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" -}}
{{- /* Pods that are about to be replaced do not count. */ -}}
{{- $given := dict "topologyKey" . "maxSkew" 1 "whenUnsatisfiable" $values.topologySpread.whenUnsatisfiable -}}
{{- $constraints = append $constraints (merge $given (dict "matchLabelKeys" (list "pod-template-hash")) $own) -}}
{{- end -}}
{{- end -}}
{{- with $constraints }}{{ toYaml . }}{{ end -}}
{{- end }}

{{/* The deployment of a component as the cluster has it: empty before the first installation, and wherever no cluster is asked. */}}
{{- define "sidecar.live" -}}
{{- lookup "apps/v1" "Deployment" (first .).Release.Namespace (include "sidecar.componentName" .) | toYaml }}
{{- end }}

{{/*
How many pods a component has; empty: that is the autoscaler's to say. An upgrade that says nothing any more puts the number
back to one, unless the chart never said one or, where the server merges, somebody else has said another since. Until then it
says the one that there is. Takes a list of the root and the component.
*/}}
{{- define "sidecar.replicas" -}}
{{- $root := first . -}}
{{- $values := $root.Values -}}
{{- if not (and $values.autoscaling.enabled (eq (last .) (include "sidecar.workers" $root))) -}}
{{- (index $values (last .)).replicas -}}
{{- else -}}
{{- $live := include "sidecar.live" . | fromYaml -}}
{{- $server := false -}}
{{- $ours := false -}}
{{- range dig "metadata" "managedFields" list $live -}}
{{- if and (eq .operation "Apply") (not .subresource) -}}
{{- $server = true -}}
{{- $ours = or $ours (hasKey (dig "fieldsV1" "f:spec" dict .) "f:replicas") -}}
{{- end -}}
{{- end -}}
{{- if and $live (or $ours (not $server)) -}}
{{- /* Not less than the autoscaler's least: it leaves alone what has none. */ -}}
{{- max (int (dig "spec" "replicas" 1 $live)) (int $values.autoscaling.minReplicas) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Where the jobs are, for the next upgrade to see. */}}
{{- define "sidecar.queueAnnotation" -}}
netbox-rir-sidecar/queue: {{ ternary "redis" "memory" (eq (include "sidecar.hasRedis" .) "yes") }}
{{- end }}

{{/*
How the pods of a component are replaced. Those without a Redis have jobs of their own, so that no other pod may run beside one:
neither another such, nor, when a Redis is added, the first one with it. Takes a list of the root and the component.
*/}}
{{- define "sidecar.strategy" -}}
{{- $live := include "sidecar.live" . | fromYaml -}}
{{- $wasAlone := eq (dig "spec" "strategy" "type" "" $live) "Recreate" -}}
{{- $hadRedis := eq (dig "metadata" "annotations" "netbox-rir-sidecar/queue" "" $live) "redis" -}}
{{- if and (include "sidecar.hasRedis" (first .)) (or $hadRedis (not $wasAlone)) -}}
type: RollingUpdate
rollingUpdate:
  maxSurge: 1
  maxUnavailable: 0
{{- else -}}
type: Recreate
{{- end -}}
{{- end }}

{{/*
The secrets that the program reads, as "value name, setting, file". The jobs that change NetBox have a token of their own if one
is given. Takes a list of the root and the component.
*/}}
{{- define "sidecar.files" -}}
{{- $secrets := (index . 0).Values.secrets -}}
{{- $token := "netboxToken" -}}
{{- if and (has (index . 1) (list "bootstrap" "webhook" "removal")) (include "sidecar.isGiven" $secrets.bootstrapToken) }}{{ $token = "bootstrapToken" }}{{ end -}}
files:
  - {name: {{ $token }}, setting: NETBOX__TOKEN_FILE, file: netbox-token}
  {{- if include "sidecar.isGiven" $secrets.keys }}
  - {name: keys, setting: KEYS__FILE, file: keys.toml}
  {{- end }}
  {{- if include "sidecar.isGiven" $secrets.webhook }}
  - {name: webhook, setting: WEBHOOK__SECRET_FILE, file: webhook-secret}
  {{- end }}
  {{- if include "sidecar.isGiven" $secrets.webhookPrevious }}
  - {name: webhookPrevious, setting: WEBHOOK__PREVIOUS_SECRET_FILE, file: webhook-previous-secret}
  {{- end }}
  {{- if include "sidecar.isGiven" $secrets.seal }}
  - {name: seal, setting: REQUESTS__SEAL_FILE, file: seal}
  {{- end }}
  {{- if include "sidecar.isGiven" $secrets.redisUrl }}
  - {name: redisUrl, setting: QUEUE__URL_FILE, file: redis-url}
  {{- end }}
{{- end }}

{{/* The certificate authorities that are given: of whom, and where they are. */}}
{{- define "sidecar.authorities" -}}
authorities:
  {{- range $of := list "netbox" "arin" "queue" }}
  {{- $ca := (index $.Values $of).ca }}
  {{- range $kind, $name := dict "configMap" $ca.configMap "secret" $ca.secret }}
  {{- with $name }}
  - {of: {{ $of }}, kind: {{ $kind }}, name: {{ . | quote }}, key: {{ $ca.key | quote }}, file: {{ $of }}-ca.crt}
  {{- end }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* A container of the program, up to its arguments. Takes a list of the root and the component. */}}
{{- define "sidecar.container" -}}
{{- $root := index . 0 -}}
image: {{ include "sidecar.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  {{- include "sidecar.containerSecurity" $root | nindent 2 }}
env:
  - name: RIR_SIDECAR__NETBOX__URL
    value: {{ $root.Values.netbox.url | quote }}
  {{- range (include "sidecar.authorities" $root | fromYaml).authorities }}
  - name: RIR_SIDECAR__{{ upper .of }}__CA_FILE
    value: /etc/rir-sidecar/{{ .file }}
  {{- end }}
  {{- range (include "sidecar.files" . | fromYaml).files }}
  - name: RIR_SIDECAR__{{ .setting }}
    value: /etc/rir-sidecar/{{ .file }}
  {{- end }}
  - name: RIR_SIDECAR__HTTP__LISTEN
    value: "[::]:8080"
  {{- if include "sidecar.isBehindProxy" $root }}
  # Without it all callers have the proxy's address.
  - name: RIR_SIDECAR__HTTP__CLIENT_ADDRESS_HEADER
    value: x-forwarded-for
  {{- end }}
  - name: RIR_SIDECAR__WORKER__SHUTDOWN_TIMEOUT
    value: {{ $root.Values.shutdown.timeoutSeconds }}s
  {{- if $root.Values.redis.enabled }}
  - name: RIR_SIDECAR__QUEUE__URL
    value: redis://{{ include "sidecar.fullname" $root }}-redis:6379/0
  {{- end }}
  {{- if not (dig "queue" "prefix" "" (fromToml $root.Values.config)) }}
  # Releases that share a Redis must not take each other's jobs.
  - name: RIR_SIDECAR__QUEUE__PREFIX
    value: {{ $root.Release.Namespace }}.{{ include "sidecar.fullname" $root }}
  {{- end }}
  {{- with $root.Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - name: settings
    mountPath: /etc/rir-sidecar
    readOnly: true
  {{- with $root.Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* The settings and secrets as one folder, readable by the pod's group only. Takes the same list. */}}
{{- define "sidecar.volumes" -}}
{{- $root := index . 0 -}}
{{- $ours := include "sidecar.secretName" . -}}
- name: settings
  projected:
    defaultMode: 0440
    sources:
      - configMap:
          name: {{ include "sidecar.configMapName" . }}
      {{- range (include "sidecar.authorities" $root | fromYaml).authorities }}
      - {{ .kind }}:
          name: {{ .name | quote }}
          items:
            - {key: {{ .key | quote }}, path: {{ .file }}}
      {{- end }}
      {{- range (include "sidecar.files" . | fromYaml).files }}
      {{- $secret := index $root.Values.secrets .name }}
      - secret:
          name: {{ $secret.existingSecret | default $ours | quote }}
          items:
            - {key: {{ $secret.key | quote }}, path: {{ .file }}}
      {{- end }}
{{- with $root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The entries of the Secret that the chart makes: those that are given as values. */}}
{{- define "sidecar.secretData" -}}
{{- range $secret := .Values.secrets }}
{{- with $secret.value }}
{{ $secret.key }}: {{ b64enc . }}
{{- end }}
{{- end }}
{{- end }}

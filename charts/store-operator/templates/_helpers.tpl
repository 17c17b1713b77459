{{- define "store-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "store-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "store-operator.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "store-operator.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "store-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "store-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "store-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "store-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "store-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "store-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "store-operator.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* What the operator needs in a namespace that it watches. Secrets and ConfigMaps are not in it: see below. */}}
{{- define "store-operator.rules" -}}
- apiGroups: [storecluster.io]
  resources: [storeclusters, storebackupschedules, storerestores]
  verbs: [get, list, watch]
# Schedules make StoreBackups and delete those that are old.
- apiGroups: [storecluster.io]
  resources: [storebackups]
  verbs: [get, list, watch, create, delete]
- apiGroups: [storecluster.io]
  resources: [storeclusters/status, storebackups/status, storebackupschedules/status, storerestores/status]
  verbs: [get, update, patch]
# Owner references that block deletion need this where OwnerReferencesPermissionEnforcement is on.
- apiGroups: [storecluster.io]
  resources: [storeclusters/finalizers, storebackupschedules/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, patch, delete]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
{{- if .Values.rbac.certManager }}
# For clusters whose certificates cert-manager signs.
- apiGroups: [cert-manager.io]
  resources: [certificates]
  verbs: [get, list, create, patch, delete]
{{- end }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [""]
  resources: [events]
  verbs: [list]
{{- end -}}

{{/* For clusters with spec.auth (root's password is read by the Secret's name, and the operator keeps its own) and spec.tls (certificates). Never bound to all namespaces. */}}
{{- define "store-operator.secretRules" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, create, patch, delete]
{{- end -}}

{{/* Takes the CEL rules out of a schema, in place: Kubernetes before 1.25 does not know the field. */}}
{{- define "store-operator.withoutCel" -}}
{{- if kindIs "map" . -}}
{{- $_ := unset . "x-kubernetes-validations" -}}
{{- range $value := . -}}{{- include "store-operator.withoutCel" $value -}}{{- end -}}
{{- else if kindIs "slice" . -}}
{{- range $value := . -}}{{- include "store-operator.withoutCel" $value -}}{{- end -}}
{{- end -}}
{{- end -}}

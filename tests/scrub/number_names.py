"""Two hundred names that services give to numbers which say who somebody is, in five languages."""

ENGLISH = """
pin code otp tan cvv cvc zip postcode ssn sin customer_number customerNo account_id accountNumber user_id userId created_by updated_by
approved_by call_at born_on seat_at rating_location timeOnCall lifetimePoints station_number iteration person_on_duty contact_time
patient_no passport_number driver_license badge invoice_recipient salary latitude longitude amount_on_account ext doorCode"""
GERMAN = """
geheimzahl kennziffer kundennummer kundenNr kontonummer personalnummer mitarbeiter_id steuernummer steuer_id sozialversicherungsnummer
rentennummer postleitzahl plz hausnummer telefon telefonnummer mobilnummer durchwahl vertragsnummer patientennummer versichertennummer
ausweisnummer reisepassnummer fuehrerscheinnummer bankleitzahl blz kartennummer pruefziffer geburtsjahr geburtstag gehalt einkommen
kontostand saldo angelegt_von bearbeiter zustaendige_person empfaenger_nr raumnummer schliessfach"""
FRENCH = """
code_pin codeSecret numero_client numClient numero_compte numero_securite_sociale numSecu matricule identifiant id_utilisateur
code_postal telephone portable numero_poste numero_contrat numero_dossier numero_patient numero_carte cryptogramme numero_permis
numero_passeport numero_cni numero_fiscal siret salaire revenu solde montant_du cree_par modifie_par valide_par destinataire
code_confirmation code_acces numero_adherent numero_employe numero_abonne annee_naissance age_du_client numero_allocataire"""
SPANISH = """
clave codigo_pin codigo_secreto numero_cliente nro_cliente numero_cuenta dni nie nif cedula curp numero_empleado id_usuario
codigo_postal telefono_movil movil celular extension numero_contrato expediente numero_paciente historia_clinica numero_tarjeta
codigo_seguridad licencia_conducir pasaporte rut cuil numero_afiliado salario sueldo saldo_actual creado_por actualizado_por
aprobado_por destinatario codigo_verificacion numero_socio anio_nacimiento casillero"""
POLISH = """
numer_pin haslo_jednorazowe numer_klienta nrKlienta numer_konta pesel nip regon numer_dowodu numer_paszportu prawo_jazdy
kod_pocztowy telefon_komorkowy komorka numer_wewnetrzny numer_umowy numer_sprawy numer_pacjenta karta_numer kod_cvv numer_ubezpieczenia
pensja wynagrodzenie saldo_konta utworzyl zmienil zatwierdzil odbiorca kod_weryfikacyjny numer_czlonkowski numer_pracownika identyfikator
id_uzytkownika rok_urodzenia wzrost waga tetno numer_pokoju szafka abonent"""
NAMES = f"{ENGLISH} {GERMAN} {FRENCH} {SPANISH} {POLISH}".split()
